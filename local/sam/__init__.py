"""The same stack with the functions in the containers of ``sam local start-api``. It needs docker."""
