"""The yearly volume of the Nile at Aswan, 1871 to 1970: a level that drifts, seen with noise.

Source: Durbin & Koopman 2012, section 2.2 (variances 1469.1 and 15099, with a diffuse start).
"""

import numpy as np
from sympy import Idx, IndexedBase, sqrt, symbols

from symem import Model, Normal

T = symbols("T", integer=True, positive=True)
t = Idx("t", T)
level, y = IndexedBase("level"), IndexedBase("y")
q, r = symbols("q r")

model = Model(
    {level[0]: Normal(0, 3000), level[t]: Normal(level[t - 1], sqrt(q)), y[t]: Normal(level[t], sqrt(r))},
    latent=[level],
)

volumes = (
    "1120 1160 963 1210 1160 1160 813 1230 1370 1140 995 935 1110 994 1020 960 1180 799 958 1140 1100 1210 1150 1250 "
    "1260 1220 1030 1100 774 840 874 694 940 833 701 916 692 1020 1050 969 831 726 456 824 702 1120 1100 832 764 821 "
    "768 845 864 862 698 845 744 796 1040 759 781 865 845 944 984 897 822 1010 771 676 649 846 812 742 801 1040 860 "
    "874 848 890 744 749 838 1050 918 986 797 923 975 815 1020 906 901 1170 912 746 919 718 714 740"
)
data = {"y": np.array(volumes.split(), dtype=float)}
start = {"q": 1000.0, "r": 10000.0}


if __name__ == "__main__":
    em = model.derive()
    for parameter, update in em.updates.items():
        print(parameter, "=", update)
    print(em.fit(**data, start=start, accelerate="auto").parameters)
