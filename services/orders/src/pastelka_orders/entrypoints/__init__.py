"""The processes of the service: the API, the worker, the migrations."""
