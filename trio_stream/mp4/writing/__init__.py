"""The boxes that stand before the bytes of samples: init segments, and the heads of fragments."""
