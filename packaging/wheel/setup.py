"""The program and its libraries as a wheel; scripts/package copies both in, and the version."""

import pathlib

from setuptools import Distribution, setup
from setuptools.command.bdist_wheel import bdist_wheel

folder = pathlib.Path(__file__).parent


class BinaryDistribution(Distribution):
    """One with a program, and without modules of Python that it was compiled for."""

    def has_ext_modules(self):
        return True


class AnyPython(bdist_wheel):
    """A wheel for every version of Python 3."""

    def get_tag(self):
        return "py3", "none", super().get_tag()[2]


setup(
    name="databudgie-cli",
    version=(folder / "VERSION").read_text().strip(),
    description="Partial, consistent Postgres backups as plain CSV files: the program of databudgie 3",
    long_description=(folder / "README.md").read_text(),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.8",
    packages=["databudgie_cli"],
    package_data={"databudgie_cli": ["bin/databudgie", "licenses/*", "*.json"]},
    entry_points={"console_scripts": ["databudgie=databudgie_cli:main"]},
    distclass=BinaryDistribution,
    cmdclass={"bdist_wheel": AnyPython},
)
