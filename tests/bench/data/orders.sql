-- SPDX-License-Identifier: MIT
CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT, town INTEGER);
CREATE TABLE purchase (id INTEGER PRIMARY KEY, customer INTEGER, amount REAL, day INTEGER);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400)
INSERT INTO customer SELECT i, 'customer ' || (i * 7919 % 400), i % 17 FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000)
INSERT INTO purchase SELECT i, i * 31 % 400 + 1, i * 37 % 1000 / 8.0, i % 365 FROM n;
CREATE INDEX by_customer ON purchase (customer, day);
SELECT town, count(*), sum(amount), max(day) FROM customer JOIN purchase ON customer.id = customer
    GROUP BY town ORDER BY 3 DESC;
SELECT name, total(amount) AS spent FROM customer LEFT JOIN purchase ON customer.id = customer
    AND day BETWEEN 100 AND 200 WHERE name LIKE '%7%' GROUP BY name ORDER BY spent, name LIMIT 20;
UPDATE purchase SET amount = amount * 1.1 WHERE customer IN (SELECT id FROM customer WHERE town = 3);
DELETE FROM purchase WHERE day < 60;
SELECT count(*), round(sum(amount), 3), count(DISTINCT customer) FROM purchase;
SELECT upper(substr(name, 3, 5)), length(group_concat(id)) FROM customer GROUP BY 1 ORDER BY 1;
