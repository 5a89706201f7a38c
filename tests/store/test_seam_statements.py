"""SQL text is read just far enough: parameters are renumbered and files split, whatever hides in
quotes.
"""

from __future__ import annotations

import pytest

from oneself.store.statements import for_sqlite, renumbered, split


@pytest.mark.parametrize(
    ("written", "given"),
    [
        ("SELECT $1, $2, $1", "SELECT ?1, ?2, ?1"),
        ("SELECT $10+$1", "SELECT ?10+?1"),
        ("SELECT '$1', $1", "SELECT '$1', ?1"),
        ("SELECT 'it''s $1', $1", "SELECT 'it''s $1', ?1"),
        ('SELECT "a$1""$2", $3', 'SELECT "a$1""$2", ?3'),
        (r"SELECT E'\'$1', $1", r"SELECT E'\'$1', ?1"),
        (r"SELECT '\', $1", r"SELECT '\', ?1"),
        ("SELECT $1 -- $2 ' \n, $3", "SELECT ?1 -- $2 ' \n, ?3"),
        ("SELECT /* $1 ' */ $2", "SELECT /* $1 ' */ ?2"),
        ("SELECT $$ $1 $$, $1", "SELECT $$ $1 $$, ?1"),
        ("SELECT $a$ $1 $$ $2 $a$, $1", "SELECT $a$ $1 $$ $2 $a$, ?1"),
        ("SELECT money$1, $0", "SELECT money$1, $0"),
        ("SELECT CAST($1 AS TEXT)IN($2,$3)", "SELECT CAST(?1 AS TEXT)IN(?2,?3)"),
    ],
)
def test_parameters_are_renumbered_outside_of_quotes(written: str, given: str) -> None:
    assert for_sqlite(written) == given
    assert for_sqlite(written) is for_sqlite(written)


def test_parameters_may_become_anything() -> None:
    assert renumbered("a = $1 OR b = $2 OR '$3'", "p.p{}") == "a = p.p1 OR b = p.p2 OR '$3'"


def test_a_file_is_split_into_its_statements() -> None:
    script = """
    -- the first; with a semicolon in its comment
    CREATE TABLE a (b TEXT DEFAULT ';', "c;d" TEXT); /* ; */ CREATE TABLE e (f TEXT);;
    CREATE FUNCTION g() RETURNS TEXT AS $body$ BEGIN; RETURN ';'; END; $body$ LANGUAGE plpgsql;
    CREATE TRIGGER h AFTER UPDATE ON a BEGIN
        UPDATE e SET f = CASE WHEN 1 THEN ';' ELSE 'x' END; DELETE FROM e;
    END;
    CREATE TRIGGER i BEFORE INSERT ON a EXECUTE FUNCTION g();
    INSERT INTO a VALUES ('it''s; so')
    -- the end;
    """
    parts = split(script)
    assert [part.split("(")[0].split()[-1] for part in parts[1:3]] == ["e", "g"]
    assert len(parts) == 6
    assert parts[0].startswith("-- the first;") and parts[0].endswith('"c;d" TEXT)')
    assert parts[3].endswith("END") and "DELETE FROM e;" in parts[3]
    assert parts[4].endswith("g()")
    assert parts[5].startswith("INSERT")


def test_nothing_comes_of_comments_alone() -> None:
    assert split(" -- nothing; here\n ; /* nor; here */ ;") == []
