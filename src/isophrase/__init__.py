"""Isophrase: how much do a language model's answers depend on the wording of the instruction?"""

__version__ = "0.1.0"
