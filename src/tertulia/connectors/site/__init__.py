"""The company's own page: a chat when somebody is there, a form when nobody is."""
