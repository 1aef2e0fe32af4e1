"""Who speaks: the brand, its language and manner, and the hours it keeps. Every other row belongs to one brand."""
