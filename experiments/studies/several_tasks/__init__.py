"""Three tasks of one stimulus in one network: a class, an angle in degrees, lengths in pixels. How to weigh them?"""
