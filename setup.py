import pathlib
import re

from setuptools import find_packages, setup

HERE = pathlib.Path(__file__).parent
VERSION = re.search(r"'(.+)'", (HERE / 'backtrader_ib_insync' / 'version.py').read_text(encoding='utf-8')).group(1)

setup(
    name='backtrader_ib_insync',
    version=VERSION,
    description='backtrader on Interactive Brokers: store, feed and broker on ib_insync, with a simulated gateway',
    long_description=(HERE / 'README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    license='GPL-3.0-only',
    python_requires='>=3.6',
    packages=find_packages(include=['backtrader_ib_insync', 'backtrader_ib_insync.*']),
    package_data={'backtrader_ib_insync': ['py.typed']},
    install_requires=[
        'backtrader>=1.9.78.123',
        'ib_insync>=0.9.86',
        # systems of today come without the zone names TWS uses, and the client library then drops executions
        'tzdata',
        'backports.zoneinfo; python_version < "3.9"',
    ],
    extras_require={
        'test': ['pytest', 'pytest-timeout', 'pytest-xdist', 'hypothesis', 'ibapi', 'pytz', 'python-dateutil',
                 'ruff; python_version >= "3.7"'],
        'progress': ['tqdm'],
        'plot': ['matplotlib'],
        'ib_async': ['ib_async; python_version >= "3.10"'],
    },
    classifiers=[
        'License :: OSI Approved :: GNU General Public License v3 (GPLv3)',
        'Programming Language :: Python :: 3',
        'Topic :: Office/Business :: Financial :: Investment',
    ],
)
