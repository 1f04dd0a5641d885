"""Modules of a user's own, which register what they define: imported here, and again in every worker process.

Only `import_modules` imports, on a user's word. Files that say what they were made with name a module and its hash, and
import nothing. A worker gets the very bytes that were imported here, and takes them from the same place where they are
still there, else from a folder of its own. An installed package is not sent: the worker's must have the same hash.
"""

from hebbevo.imports.importing import import_modules
from hebbevo.imports.records import Import, changed, imported, require, require_module
from hebbevo.imports.shipping import Imports

__all__ = ["Import", "Imports", "changed", "import_modules", "imported", "require", "require_module"]
