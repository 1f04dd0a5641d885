"""The study of generalization to bodies never seen."""
