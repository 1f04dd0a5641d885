"""Files: atomic writes, directories, tensors, tables, TensorBoard events."""
