-- SPDX-License-Identifier: MIT
-- A store of objects in memory: parts, the connections between them, and walks along these.
CREATE TABLE part (id INTEGER PRIMARY KEY, kind TEXT, x INTEGER, y INTEGER, built INTEGER);
CREATE TABLE connection (source INTEGER, target INTEGER, length INTEGER);
BEGIN;
WITH RECURSIVE lot(n, v) AS (
	SELECT 1, 2003
	UNION ALL SELECT n + 1, (v * 1103515245 + 12345) % 2147483648 FROM lot WHERE n < 1000)
INSERT INTO part SELECT n, 'kind-' || (v / 65536 % 10), v / 1024 % 1000, v / 4096 % 1000, v % 365 FROM lot;
WITH RECURSIVE lot(n, v) AS (
	SELECT 0, 1900
	UNION ALL SELECT n + 1, (v * 1103515245 + 12345) % 2147483648 FROM lot WHERE n < 2999)
INSERT INTO connection SELECT n / 3 + 1, v / 65536 % 1000 + 1, v / 256 % 100 FROM lot;
CREATE INDEX by_source ON connection (source);
CREATE INDEX by_kind ON part (kind, built);
COMMIT;
-- Everything within five steps of some parts.
WITH RECURSIVE
	start(n) AS (SELECT 1 UNION ALL SELECT n + 97 FROM start WHERE n < 900),
	walk(origin, id, steps) AS (
		SELECT n, n, 0 FROM start
		UNION SELECT origin, target, steps + 1 FROM walk JOIN connection ON source = id WHERE steps < 5)
SELECT origin, count(*), sum(x), max(y) FROM walk JOIN part USING (id) GROUP BY origin ORDER BY origin;
SELECT kind, count(*), sum(length), min(built), max(x + y) FROM part JOIN connection ON source = id
	GROUP BY kind ORDER BY kind;
UPDATE part SET built = built + 1, x = (x + y) % 1000 WHERE kind IN ('kind-1', 'kind-4', 'kind-7');
DELETE FROM connection WHERE length < 10;
INSERT INTO part SELECT id + 1000, kind, y, x, built FROM part WHERE id % 3 = 0;
SELECT count(*), sum(x), sum(y), sum(built) FROM part;
SELECT count(*), sum(length) FROM connection WHERE target IN (SELECT id FROM part WHERE x > 500);
