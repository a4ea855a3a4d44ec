"""Composed clips whose beats are known exactly: twelve that are measured on, and any number to tune on.

A clip is made in four steps, a module each: `score` says when beats fall, `patterns` what is played on
them, `instruments` how it sounds, `mixing` how it comes together. `clips` holds the twelve, `varied` draws
others.
"""
