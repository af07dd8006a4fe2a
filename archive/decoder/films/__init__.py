"""Films, from bytes to pictures at true timestamps. Runs inside the confined child only.

`reels.open_reel` gives one of two reels with the same face: FFmpeg's (`footage`) for containers, Pillow's
(`animations`) for animated GIF and WebP. `jobs` is what the child is asked: to look at a film, or for a stretch
of its frames.
"""
