"""The routes, which only parse requests, call functions and answer."""
