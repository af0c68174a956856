"""The main job: one network learns the digits 0 to 4, then 5 to 9; how much of 0 to 4 is left?"""
