"""Where people look at runs while they go on: one interface, TensorBoard always, others where they are asked for."""
