"""Bytes → Messages. Sans-IO and pure: no socket, loop, clock, file, log or metric; time is an argument."""
