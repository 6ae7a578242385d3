# SPDX-License-Identifier: EUPL-1.2
"""Rules in words: every word of the vocabulary in every language, and nothing left out."""

import hashlib
import re
from dataclasses import replace

import pytest

from gateway.policy import rendering_pages as pages
from policies.languages import CYRILLIC, ENGLISH, LANGUAGES, OF_COUNTRY, cyrillic, language
from policies.render import NoSuchFileError, english_words, render


@pytest.mark.parametrize("name", [name for name in LANGUAGES if name != ENGLISH])
def test_no_translation_is_missing_and_none_is_left_over(snapshot, name):
    tongue = language(name)
    wanted = set(english_words(snapshot.vocabulary))
    found = {key for key in tongue.words if not key.startswith("label.")}
    assert found == wanted
    labels = {key for key in tongue.words if key.startswith("label.")}
    assert labels == set(language(ENGLISH).words)
    assert all(text and text != "-" for text in tongue.words.values())


@pytest.mark.parametrize("country", [*OF_COUNTRY, None])
def test_each_line_of_each_country_has_a_sentence_that_names_its_law(snapshot, files, country):
    found = render(snapshot, country)
    book = snapshot.book
    lines = book.floor if country is None else (*book.owners[country], *book.asking[country])
    sentences = [sentence for file in found.files for sentence in file.sentences]
    assert [sentence.line for sentence in sentences] == list(lines)
    for sentence in sentences:
        for law in sentence.line.law:
            assert law in sentence.local
            assert law in sentence.english
    for file in found.files:
        assert file.digest == hashlib.sha256(files[file.name]).hexdigest()
    page = pages.as_html(found)
    assert all(f">{line.id}<" in page for line in lines)
    assert all(line.id in pages.as_text(found) for line in lines)


def test_a_sentence_says_every_column_in_both_languages(snapshot):
    sentences = render(snapshot, "BA").files[0].sentences
    one = next(s for s in sentences if s.line.id == "BA-A02")
    assert one.local == (
        "Dopušteno. Uloga: službenik za azil; Organizacije: organizacije svih drugih zemalja; "
        "Čiji podaci: Bosna i Hercegovina; Podaci: registracije; Kategorije: zapis; "
        "Oblik odgovora: samo da ili ne; Radnja: traženje jedne imenovane osobe; "
        "Svrha: postupak azila; Samo ako je sigurno: postoji otvoren predmet; "
        "Obaveze: odluka ne smije počivati samo na odgovoru, najviše pet kandidata; "
        "Pravni osnov: EUR-16; Status: neprovjereno."
    )
    assert one.english.startswith("Allowed. Role: asylum officer; Organisations: organisations of")


def test_a_denial_says_that_a_doubt_is_enough(snapshot):
    sentences = render(snapshot, None, "de").files[0].sentences
    one = next(s for s in sentences if s.line.id == "F35")
    assert one.local.startswith("Verboten. Rolle: jede Rolle;")
    assert "Sobald möglich ist: unbegleitetes Kind + nicht sicher ist: ein Eintrag" in one.local
    seven = next(s for s in sentences if s.line.id == "F07")
    assert "Zweck: alle außer Betroffenenrechte, Gerichtsbeschluss" in seven.local


def test_serbian_is_written_in_both_scripts(snapshot):
    assert cyrillic("Ljubav i džep njegov") == "Љубав и џеп његов"
    found = render(snapshot, "RS", CYRILLIC)
    assert found.files[0].sentences[0].local.startswith("Допуштено. Улога: службеник граничне")
    told = " ".join(language(CYRILLIC).words.values())
    assert not [word for word in re.findall(r"\w+", told) if re.search("[čćžšđ]", word)]


def test_a_page_escapes_every_word_and_runs_nothing(snapshot):
    found = render(snapshot, "BA")
    page = pages.as_html(replace(found, country="<script>x</script>"))
    assert "<script" not in page
    assert "Potpis / Signature" in page
    assert "neprovjeren nacrt" in page


def test_a_country_without_rules_is_refused(snapshot):
    with pytest.raises(NoSuchFileError, match="no rules of XX"):
        render(snapshot, "XX")
