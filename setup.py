"""Packaging: everything is read from settings.ini, which nbdev reads too."""
from configparser import ConfigParser
from pathlib import Path

from setuptools import find_packages, setup

root = Path(__file__).parent
config = ConfigParser()
config.read(root / "settings.ini", encoding="utf-8")
cfg = config["DEFAULT"]
readme = root / "README.md"
extras = {name: cfg[f"{name}_requirements"].split() for name in ("dev", "wandb", "serve", "gpu", "node")}

setup(
    name=cfg["lib_name"],
    version=cfg["version"],
    description=cfg["description"],
    long_description=readme.read_text(encoding="utf-8") if readme.exists() else cfg["description"],
    long_description_content_type="text/markdown",
    author=cfg["author"],
    license="MIT",
    url=cfg["git_url"],
    packages=find_packages(include=["nanochat", "nanochat.*"]),
    package_data={"nanochat": ["*.css", "*.json"], "nanochat.tasks": ["*.jsonl"], "nanochat.tinyworld": ["data/*"]},
    python_requires=f">={cfg['min_python']}",
    install_requires=cfg["requirements"].split(),
    extras_require=extras,
)
