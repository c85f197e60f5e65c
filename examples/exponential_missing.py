"""Two exponential lifetimes, y1 = 5 seen and y2 missing: theta becomes 2 theta / (5 theta + 1), limit 0.2.

Source: Givens & Hoeting, Computational Statistics, example 4.1.
"""

from sympy import symbols

from symem import Exponential, Model

y1, y2, theta = symbols("y1 y2 theta")

model = Model({y1: Exponential(theta), y2: Exponential(theta)}, latent=[y2])

data = {"y1": 5.0}
start = {"theta": 0.7}


if __name__ == "__main__":
    em = model.derive()
    for parameter, update in em.updates.items():
        print(parameter, "=", update)
    print(em.fit(**data, start=start).parameters)
