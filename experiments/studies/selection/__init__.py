"""Which source images help a small target: all, some at random, none, or those that look like the target's own?"""
