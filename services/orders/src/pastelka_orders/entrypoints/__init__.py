<<<<<<< HEAD
"""The processes of the service: the API, the worker, the migrations."""
=======
"""Programs of the orders service: they translate, handlers decide."""
>>>>>>> migrations
