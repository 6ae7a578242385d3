# SPDX-License-Identifier: EUPL-1.2
import pytest

from anonymise.errors import LinkageError
from gateway.linkage.lists import read_list, read_truth

HEADER = "id,given_names,surnames,sex,date_of_birth,nationality,document_number"


@pytest.fixture
def written(tmp_path):
    def write(*lines, header=HEADER, name="A.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_text("\n".join((header, *lines, "")), encoding=encoding)
        return path

    return write


def test_any_cell_but_the_identifier_may_be_empty(written):
    made = read_list(written("1,,,,,,", "2,Ali,Rezaei,M,1990-07-22,AFG,P1234567"))
    assert made.persons["1"].birth is None
    assert made.persons["2"].nationalities == ("AFG",)


def test_columns_may_stand_in_any_order_and_further_ones_are_kept(written):
    header = "culture,document_number,nationality,date_of_birth,sex,surnames,given_names,id"
    made = read_list(written("afghan,,,,,Rezaei,Ali,1", header=header))
    assert made.persons["1"].surnames == ("Rezaei",)
    assert made.kinds == {"culture": {"1": "afghan"}}


def test_a_byte_order_mark_is_no_part_of_the_first_column(written):
    assert read_list(written("1,,,,,,", encoding="utf-8-sig")).persons.keys() == {"1"}


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["1,Ali,Secretname,M,1990-13-22,AFG,"], "A.csv, line 2: date_of_birth"),
        (["1,,,,,,", "2,Ali,Secretname,woman,,,"], "A.csv, line 3: sex"),
        (["1,Ali,Secretname,,,Afghan,"], "A.csv, line 2: nationality"),
        (["1,Secretname,,,,,", "1,,,,,,"], "A.csv, line 3, column id"),
        ([",Secretname,,,,,"], "A.csv, line 2, column id"),
        (["1,Secretname,,,,"], "A.csv, line 2: 6 cells"),
        (['1,"Secretname,,,,,'], "A.csv is no CSV"),
        ([], "A.csv has no rows"),
    ],
)
def test_a_refusal_names_file_line_and_column_and_no_value(written, lines, told):
    with pytest.raises(LinkageError) as refused:
        read_list(written(*lines))
    assert str(refused.value).startswith(told)
    assert "Secretname" not in str(refused.value)


def test_a_list_without_a_column_of_ours_is_refused(written):
    with pytest.raises(LinkageError, match="line 1: lacks the column surnames"):
        read_list(written(header=HEADER.replace("surnames,", "")))


def test_a_column_twice_is_refused(written):
    with pytest.raises(LinkageError, match="line 1: has a column twice"):
        read_list(written(header=HEADER + ",sex"))


def test_another_encoding_and_a_missing_file_are_told(written, tmp_path):
    with pytest.raises(LinkageError, match="not UTF-8"):
        read_list(written("1,Ćosić,,,,,", encoding="utf-16"))
    with pytest.raises(LinkageError, match=r"nobody\.csv can't be read"):
        read_list(tmp_path / "nobody.csv")


def test_a_truth_names_only_who_is_in_the_lists(written):
    first = read_list(written("1,,,,,,", "2,,,,,,"))
    second = read_list(written("x,,,,,,", "y,,,,,,", name="B.csv"))
    truth = written("1,x", "1,y", header="id_a,id_b", name="T.csv")
    assert read_truth(truth, first, second) == {"1": {"x", "y"}}
    wrong = written("1,x", "2,z", header="id_a,id_b", name="T.csv")
    with pytest.raises(LinkageError, match=r"T\.csv, line 3, column id_b"):
        read_truth(wrong, first, second)
    with pytest.raises(LinkageError, match=r"T\.csv names no pair"):
        read_truth(written(header="id_a,id_b", name="T.csv"), first, second)
