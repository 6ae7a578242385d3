-- An SQLite register in Albanian: everything is text or a whole number, days as 05/03/1990.
CREATE TABLE shtetas (
  nr integer PRIMARY KEY, rastesor text, mbiemri text, emri text, mbiemri_mrz text, emri_mrz text,
  datelindja text, saktesia text, gjinia text, gjurme text, nofka text, bllokuar text, vdekur text,
  i_vetem text, ndjekesi text, ruaj_deri text, burimi text, ndarja text);
CREATE TABLE dokument (shtetas_nr integer, numri text, lloji text, i_vlefshem integer);
CREATE TABLE shtetesi (shtetas_nr integer, shteti text);
CREATE TABLE kerkese (nr text PRIMARY KEY, shtetas_nr integer, gjendja text, me text, ruaj_deri text);
CREATE TABLE regjistrim (nr text PRIMARY KEY, shtetas_nr integer, lloji text, koha integer,
  ngjarja text, nga text, ruaj_deri integer, burimi text, njoftuar text);
CREATE TABLE qendrim (nr integer PRIMARY KEY, shtetas_nr integer, qendra text, ardhja text, ikja text,
  dhoma text, gjuhet text);
CREATE TABLE nevoja (shtetas_nr integer, kodi text);
CREATE TABLE mbrojtje (shtetas_nr integer PRIMARY KEY, trafikim text);
CREATE TABLE qendra (kodi text PRIMARY KEY, emri text, vende integer, hapur integer, me text);
INSERT INTO shtetas VALUES
 (1,'00000000000000000000000000000001','Ahmadi','Reza','AHMADI','REZA','05/03/1990','dita','M',
  'FP-1','Reza Xh.;R. A.','jo','jo','jo',NULL,'2030-01-01','yni','A'),
 (2,'00000000000000000000000000000002','Gjorgjeviq','Ana','DORDEVIC','ANA','01/07/2012','dita','F',
  'FP-2',NULL,'po','jo','po','SY','2026-11-24','eurodac','A'),
 (3,'00000000000000000000000000000003','O''Neil','Sam','ONEIL','SAM','02/01/1980','dita','M',
  'FP-3',NULL,'jo','jo','jo',NULL,'2026-11-23','yni','A'),
 (4,NULL,'Ri','Nik','RI','NIK','diku 1990','???','?',NULL,NULL,NULL,NULL,NULL,NULL,NULL,'tjeter',NULL),
 (5,'00000000000000000000000000000005','Ahmadi','Reza','AHMADI','REZA','06/03/1990','dita','M',
  'FP-5',NULL,'jo','jo','jo',NULL,'2030-01-01','yni','A'),
 (6,'00000000000000000000000000000006','Karimi','Leila','KARIMI','LEILA','09/09/2021','dita','F',
  'FP-6',NULL,'jo','jo','jo',NULL,'2030-01-01','yni','A');
INSERT INTO dokument VALUES (1,'P1234567','pasaporte',1),(1,'OLD1','pasaporte',0),(6,'P7777777','karte',1);
INSERT INTO shtetesi VALUES (1,'AF'),(2,'SY'),(2,'PS'),(3,'GB'),(4,'??'),(5,'AF'),(6,'AF');
INSERT INTO kerkese VALUES ('Б-2',2,'hapur','01/06/2026','2030-01-01'),
 ('Б-6',6,'refuzuar','02/06/2026','2030-01-01');
INSERT INTO regjistrim VALUES
 ('З-1',1,'parregullt',1777890600,'03/05/2026','RS',1893456000,'yni','po'),
 ('З-2',2,'azil',1780300800,'31/05/2026','GR',1893456000,'yni','po'),
 ('З-3',3,'parregullt',1433145600,'31/05/2015','GR',1577836800,'yni','po'),
 ('З-4',4,'tjeter',1782892800,NULL,NULL,NULL,'tjeter',NULL),
 ('З-5',1,'azil',1785571200,'31/05/2026','GR',1893456000,'huaj','jo');
INSERT INTO qendrim VALUES (10,1,'TAB','05/05/2026',NULL,'12','farsi,anglisht'),
 (11,2,'VIZ','02/06/2026',NULL,'3','arabisht'),(12,6,'TAB','02/06/2026','01/07/2026','4',NULL),(13,5,'TAB','02/06/2026',NULL,NULL,NULL);
INSERT INTO nevoja VALUES (2,'SM'),(2,'DS'),(2,'??'),(6,'SM');
INSERT INTO mbrojtje VALUES (2,'jo'),(6,NULL);
INSERT INTO qendra VALUES ('TAB','Tabanoc',500,1,'2026-11-24 06:00:00'),
 ('VIZ','Vizbeg',150,0,'2026-11-24 06:00:00');
