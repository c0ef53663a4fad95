"""The server: who may come in, what every request meets, the threads that answer."""
