"""Performances kept, drawn, checked and measured."""
