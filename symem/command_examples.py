"""The examples under --help: of the whole, and of each command."""

OVERVIEW = """\
examples:
  symem derive examples/old_faithful.py
  symem derive examples/old_faithful.py --latex report.tex
  symem emit   examples/old_faithful.py -o old_faithful_em.py
  symem fit    examples/old_faithful.py examples/data/old_faithful.csv --size K=2
  symem sample examples/old_faithful.py --theta w=0.4,0.6 mu=55,80 sigma=6,6 --size n=100
  symem verify examples/old_faithful.py
  symem audit  examples/old_faithful.py updates.py
  symem report examples/two_coins.py -o two_coins.html --open
  symem gallery examples -o gallery

FILE is a Python file with a symem.Model called `model` (or only one Model); FILE:NAME picks another.
It is run as Python, so use only files that you trust.
"""
DERIVE = """\
examples:
  symem derive examples/old_faithful.py
  symem derive examples/old_faithful.py --latex report.tex --markdown report.md
  symem derive models.py:coins
"""
EMIT = """\
examples:
  symem emit examples/old_faithful.py -o old_faithful_em.py
  symem emit examples/old_faithful.py --style plain
  symem emit examples/old_faithful.py -o solvers/old_faithful_em.py --runtime shared
"""
FIT = """\
examples:
  symem fit examples/old_faithful.py examples/data/old_faithful.csv --size K=2
  symem fit examples/old_faithful.py data.csv --start w=0.5,0.5 mu=55,80 sigma=5,5
  symem fit examples/two_coins.py tosses.csv --set N=10 --start th=0.6,0.5 --output fit.json
  symem fit examples/old_faithful.py examples/data/old_faithful.csv --size K=2 --report fit.html

DATA.csv has a header. The column `x` is the array x[i]; `y[0]`, `y[1]`, … are its slices if it is a table (they may
count from 1 instead). Rows, entries and labels count from 0 in all that is printed but the formulas of reports.
An empty cell or NA is a missing value. Rows of a matrix in --start are separated by `;`.
"""
SELECT = """\
examples:
  symem select examples/old_faithful.py examples/data/old_faithful.csv --size K=1..6
  symem select examples/old_faithful.py data.csv --size K=2..4 --criterion aic --n-init 20 --json
"""
PREDICT = """\
examples:
  symem fit     examples/old_faithful.py examples/data/old_faithful.csv --size K=2 --output fit.json
  symem predict examples/old_faithful.py new.csv --parameters fit.json -o labels.csv

A column for each latent: the most probable label, counted from 0, or the posterior mean; and log_likelihood, that of
the row.
"""
SAMPLE = """\
examples:
  symem sample examples/old_faithful.py --theta w=0.4,0.6 mu=55,80 sigma=6,6 --size n=100 --seed 0
  symem sample examples/old_faithful.py --parameters fit.json --size n=100 --latents -o drawn.csv

Parents are drawn before their children, from the distributions that FILE declares; nothing is missing.
"""
VERIFY = """\
examples:
  symem verify examples/old_faithful.py
  symem verify examples/old_faithful.py data.csv --size K=3 --theta w=0.2,0.3,0.5 mu=50,60,80 sigma=5,5,5

Without DATA.csv, data are drawn from the model.
"""
AUDIT = """\
examples:
  symem audit examples/old_faithful.py updates.py

UPDATES.py may use the names of FILE, and em, what was derived. It defines one or more of

  updates = {sigma: sqrt(Sum(gamma[i, k]*(x[i] - mu[k])**2, i)/Sum(gamma[i, k], i))}
  def step(theta, x): ...              # -> the new parameters, as a dict, a named tuple or a tuple in order
  def log_likelihood(theta, x): ...    # -> the observed-data log-likelihood at theta

Both files are run as Python, so use only files that you trust.
"""
REPORT = """\
examples:
  symem report examples/two_coins.py --open
  symem report examples/two_coins.py -o coins.ipynb --form notebook
  symem report examples/old_faithful.py --form latex --notation bishop --rename w=pi
  symem report examples/old_faithful.py data.csv --start w=0.5,0.5 mu=55,80 sigma=5,5 --level teaching

With data the report works one iteration in numbers and shows the fit: the table DATA.csv, or else what the
file itself calls `data` and `start`.
"""
GALLERY = """\
examples:
  symem gallery examples -o gallery

Every Python file in DIRECTORY that states a model gets a page, with a fit where the file has `data`, or where a
table of the same name lies beside it (NAME.csv or data/NAME.csv). The files are run as Python: use only files
that you trust.
"""
