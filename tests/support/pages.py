"""Pages of the documentation, as tests read them."""


def table_rows(page: str, header: str) -> list[list[str]]:
    """Return the cells of the rows of the table that begins with a header."""
    lines = page[page.index(header) :].splitlines()
    end = next(number for number, line in enumerate(lines) if not line.startswith("|"))
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:end]]
