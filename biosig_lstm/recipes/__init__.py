"""What a protocol's model is made of: preparation, network, training and augmentation, one file for each task."""

from biosig_lstm.recipes._beats import BeatRecipe
from biosig_lstm.recipes._recipe import Recipe
from biosig_lstm.recipes._train import cross_validate, recipe_for, recipe_names, train_protocol, train_recipe

__all__ = ["BeatRecipe", "Recipe", "cross_validate", "recipe_for", "recipe_names", "train_protocol", "train_recipe"]
