"""The renderer `renderer/spectrum`: music as a scrolling score."""
