from pathlib import Path

from isophrase.cache import cache_folder


def test_the_cache_is_where_the_variable_says(monkeypatch, tmp_path):
    monkeypatch.setenv("ISOPHRASE_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.setenv("ISOPHRASE_CACHE", "~/x")
    assert cache_folder() == Path.home() / "x"


def test_the_cache_is_the_users_own_otherwise(monkeypatch):
    monkeypatch.delenv("ISOPHRASE_CACHE", raising=False)
    assert cache_folder().name.lower() == "isophrase" or cache_folder().parent.name == "isophrase"
