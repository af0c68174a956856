"""Distillation: how much more do a large network's outputs teach a small one than labels do?"""
