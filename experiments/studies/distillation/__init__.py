"""Distillation: what a large network says of every class teaches a small one more than the labels do. By how much?"""
