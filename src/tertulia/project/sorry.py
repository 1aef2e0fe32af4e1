class Sorry(Exception):
    """What a command could not do, in a sentence that says what to do now."""
