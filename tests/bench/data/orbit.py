# SPDX-License-Identifier: MIT
"""Floating point in an interpreter: a planet on an eccentric orbit, by the leapfrog method."""
x, y, u, v, step = 1.0, 0.0, 0.0, 0.8, 0.001
for _ in range(20000):
    u -= step / 2 * x / (x * x + y * y) ** 1.5
    v -= step / 2 * y / (x * x + y * y) ** 1.5
    x += step * u
    y += step * v
    pull = (x * x + y * y) ** -1.5
    u -= step / 2 * x * pull
    v -= step / 2 * y * pull
print(x.hex(), y.hex(), ((u * u + v * v) / 2 - (x * x + y * y) ** -0.5).hex())
