-- A PostgreSQL register in Macedonian: whole-number keys, real dates, booleans, child tables.
CREATE TABLE "лице" (
  "ид" integer PRIMARY KEY, "сурогат" uuid, "презиме" varchar(80), "име" varchar(80),
  "презиме_мрз" varchar(80), "име_мрз" varchar(80), "роден" date, "точност" char(3),
  "пол" varchar(2), "отисок" varchar(40), "прекари" text, "ограничен" boolean, "починат" boolean,
  "придружен" boolean, "гонител" char(2), "простор" varchar(10));
CREATE TABLE "исправа" ("лице_ид" integer, "број" varchar(20), "вид" varchar(20), "важи" integer);
CREATE TABLE "државјанство" ("лице_ид" integer, "држава" char(2));
CREATE TABLE "барање" ("број" varchar(20) PRIMARY KEY, "лице_ид" integer, "состојба" varchar(20),
  "поднесено" date, "чувај_до" date);
CREATE TABLE "запис" ("број" varchar(20) PRIMARY KEY, "лице_ид" integer, "вид" varchar(20),
  "запишано" timestamp, "настан" date, "од_држава" char(2), "чувај_до" date, "извор" varchar(20),
  "известен" boolean);
CREATE TABLE "лице_чување" ("лице_ид" integer, "чувај_до" date, "извор" varchar(20));
CREATE TABLE "престој" ("престој_ид" bigint PRIMARY KEY, "лице_ид" integer, "центар" varchar(8),
  "дојде" date, "замина" date, "соба" varchar(8), "јазици" varchar(40));
CREATE TABLE "потреба" ("лице_ид" integer PRIMARY KEY, "шифри" varchar(40), "трговија" boolean);
CREATE TABLE "центар" ("шифра" varchar(8) PRIMARY KEY, "назив" varchar(40), "места" integer,
  "отворен" boolean, "на_ден" timestamptz);
INSERT INTO "лице" VALUES
 (1,'00000000-0000-0000-0000-000000000001','Ахмади','Реза','AHMADI','REZA','1990-03-05','ден','М',
  'FP-1','Реза Џ.;R. A.',false,false,true,NULL,'A'),
 (2,'00000000-0000-0000-0000-000000000002','Ђорђевић','Ана','DORDEVIC','ANA','2012-07-01','ден',
  'Ж','FP-2',NULL,true,false,false,'SY','A'),
 (3,'00000000-0000-0000-0000-000000000003','O''Neil','Sam','ONEIL','SAM','1980-01-02','ден','М',
  'FP-3',NULL,false,false,true,NULL,'A'),
 (4,NULL,'Нов','Ник','NOV','NIK',NULL,'???','?',NULL,NULL,NULL,NULL,NULL,NULL,NULL),
 (5,'00000000-0000-0000-0000-000000000005','Ahmadi','Reza','AHMADI','REZA','1990-03-06','ден','М',
  'FP-5',NULL,false,false,true,NULL,'A'),
 (6,'00000000-0000-0000-0000-000000000006','Karimi','Leila','KARIMI','LEILA','2021-09-09','ден',
  'Ж','FP-6',NULL,false,false,true,NULL,'A');
INSERT INTO "лице_чување" VALUES (1,'2030-01-01','наше'),(2,'2026-11-24','еуродак'),
 (3,'2026-11-23','наше'),(4,NULL,'чудно'),(5,'2030-01-01','наше'),(6,'2030-01-01','наше');
INSERT INTO "исправа" VALUES (1,'P1234567','пасош',1),(1,'OLD1','пасош',0),(6,'P7777777','лична',1);
INSERT INTO "државјанство" VALUES (1,'AF'),(2,'SY'),(2,'PS'),(3,'GB'),(4,'??'),(5,'AF'),(6,'AF');
INSERT INTO "барање" VALUES ('Б-2',2,'отворено','2026-06-01','2030-01-01'),
 ('Б-6',6,'одбиено','2026-06-02','2030-01-01');
INSERT INTO "запис" VALUES
 ('З-1',1,'нерег','2026-05-04 10:30:00','2026-05-03','RS','2030-01-01','наше',true),
 ('З-2',2,'азил','2026-06-01 08:00:00','2026-05-31','GR','2030-01-01','наше',true),
 ('З-3',3,'нерег','2015-06-01 08:00:00','2015-05-31','GR','2020-01-01','наше',true),
 ('З-4',4,'друго','2026-07-01 08:00:00',NULL,NULL,NULL,'чудно',NULL),
 ('З-5',1,'азил','2026-08-01 08:00:00','2026-05-31','GR','2030-01-01','странство',false);
INSERT INTO "престој" VALUES (10,1,'TAB','2026-05-05',NULL,'12','фарси,англиски'),
 (11,2,'VIZ','2026-06-02',NULL,'3','арапски'),(12,6,'TAB','2026-06-02','2026-07-01','4',NULL),(13,5,'TAB','2026-06-02',NULL,NULL,NULL);
INSERT INTO "потреба" VALUES (2,'SM,DS,нешто',false),(6,'SM',NULL);
INSERT INTO "центар" VALUES ('TAB','Табановце',500,true,'2026-11-24 06:00:00+00'),
 ('VIZ','Визбегово',150,false,'2026-11-24 06:00:00+00');
