from pathlib import Path

import pytest

from trivium.modalities.anonymised import Anonymiser, Rules, Settings
from trivium.settings.errors import UserError


def anonymised(text: str, **settings: object) -> str:
    return Anonymiser(Rules.of(Settings.model_validate(settings), "data.streams.text.anonymise")).text(text)


@pytest.mark.parametrize(("text", "expected"), [
    ("Mail jo.smith+tag@example.co.uk, now.", "Mail [EMAIL], now."),
    ("请联系wang@example.com谢谢", "请联系[EMAIL]谢谢"),
    ("иван@почта.рф и jo (at) example dot org", "[EMAIL] и [EMAIL]"),
    ("jo@exa\u200bmple.com und ｊｏ＠ｅｘａｍｐｌｅ．ｃｏｍ", "[EMAIL] und [EMAIL]"),
    ("call +49 30 1234567 or 0049 30 1234567 (home)", "call [PHONE] or [PHONE] (home)"),
    ("電話：+81 3-3123-4567まで", "電話：[PHONE]まで"),
    ("٠٠٤٩ ٣٠ ١٢٣٤٥٦٧", "[PHONE]"),
    ("4111 1111 1111 1111, 378282246310005", "[CARD], [CARD]"),
    ("IBAN DE89 3704 0044 0532 0130 00 please", "IBAN [ACCOUNT] please"),
    ("529.982.247-25 12345678Z 11010519491231002X", "[ACCOUNT] [ACCOUNT] [ACCOUNT]"),
    ("see https://example.com/a(b)?x=1, www.test.de.", "see [URL], [URL]."),
    ("https://jo@example.com/?mail=a@b.org", "[URL]"),
    ("10.0.0.1 and 2001:db8::1", "[IP] and [IP]"),
])
def test_a_value_is_replaced_by_its_kind(text: str, expected: str) -> None:
    assert anonymised(text) == expected


@pytest.mark.parametrize("text", [
    "4111 1111 1111 1112 and DE89 3704 0044 0532 0130 01",  # wrong check digits
    "on 2024-05-06 at 12:30:45, 09.09.1996, for 1,299.00", "version 1.2.3.4, v10.2.3.4, ISBN 978-3-16-148410-0",
    "report_final.pdf, Node.js, e.g. this. Next", "00:1A:2B:3C:4D:5E", "@river", "48.8566, 2.3522",
    "Mr President met the Doctor", "mark the date", "お客様", "[EMAIL] [NAME]", "", "a@b",
])
def test_what_only_looks_like_a_value_stays(text: str) -> None:
    assert anonymised(text) == text


@pytest.mark.parametrize(("text", "expected"), [
    ("Dear Mrs. Smith-Jones, Dr. Ludwig van Beethoven called", "Dear Mrs. [NAME], Dr. [NAME] called"),
    ("Меня зовут Пётр Иванов, г-н Сидоров", "Меня зовут [NAME], г-н [NAME]"),
    ("田中さん、私は山田太郎です", "[NAME]さん、私は[NAME]です"),
    ("王小明先生，我叫李华。", "[NAME]先生，我叫[NAME]。"),
    ("제 이름은 김민수입니다. 박영희 씨", "제 이름은 [NAME]입니다. [NAME] 씨"),
    ("السيد محمد علي قال", "السيد [NAME] قال"),
    ("श्री राम कुमार ने कहा", "श्री [NAME] ने कहा"),
])
def test_a_name_is_told_by_the_words_around_it(text: str, expected: str) -> None:
    assert anonymised(text) == expected


def test_listed_names_are_found_where_they_are_spelt_with_a_capital(tmp_path: Path) -> None:
    path = tmp_path / "names.txt"
    path.write_text("\ufeffMaria González\nJean-Pierre\n\nMark\n王小明\n", encoding="utf-8")
    given = "Maria González, Mark: mark that Jean-Pierre's MARK. 昨天王小明来了 Marks Maria"
    assert anonymised(given, names=str(path)) == "[NAME], [NAME]: mark that [NAME]'s [NAME]. 昨天[NAME]来了 Marks Maria"


def test_rules_hold_no_name_of_the_list(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("Maria\nZebulon\n")
    rules = Rules.of(Settings(names=str(tmp_path / "names.txt")), "x")
    assert len(rules.names) == 2 and "ebulon" not in rules.model_dump_json().lower()
    assert Anonymiser(Rules.model_validate_json(rules.model_dump_json())).text("Zebulon!") == "[NAME]!"


def test_only_the_kinds_that_are_asked_for() -> None:
    assert anonymised("Mr Smith, a@b.org, 10.0.0.1", kinds=["email", "ip"]) == "Mr Smith, [EMAIL], [IP]"


def test_numbers_as_dialled_at_home_are_found_in_their_region_alone() -> None:
    text = "Tel. 030 1234567, on 09.09.1996"
    assert anonymised(text) == text
    assert anonymised(text, regions=["DE"]) == "Tel. [PHONE], on 09.09.1996"


def test_finds_beside_each_other_leave_nothing_and_a_second_time_changes_nothing() -> None:
    once = anonymised("call 030 1234567 0049 30 1234567, Mr. Smith a@b.org", regions=["DE"])
    assert once == "call [PHONE] [PHONE], Mr. [NAME] [EMAIL]" == anonymised(once, regions=["DE"])


def test_finds_and_texts_are_counted() -> None:
    one = Anonymiser(Rules.of(Settings(), "x"))
    for text in ("a@b.org c@d.org", "nothing", "10.0.0.1"):
        one.text(text)
    assert (dict(one.counts), one.texts) == ({"email": 2, "ip": 1}, 2)


def test_cells_of_a_table_are_anonymised_each_and_numbers_stay() -> None:
    one = Anonymiser(Rules.of(Settings(), "x"))
    assert one.cells('{"area":"61.2","who":"a@b.org","note":null}') == '{"area":"61.2","who":"[EMAIL]","note":null}'
    assert one.cells('{"area":61.2}') == '{"area":61.2}' and one.cells("no JSON") == "no JSON"
    assert one.texts == 1


@pytest.mark.parametrize(("settings", "words"), [
    ({"names": "gone.txt"}, "anonymise.names`: there is no file gone.txt"),
    ({"names": "empty.txt"}, "empty.txt has no name in it"),
    ({"regions": ["XX"]}, "anonymise.regions` names XX"),
    ({"names": "names.txt", "kinds": ["email"]}, "kinds` has no `name`"),
    ({"names": "long.txt"}, "has more than 5 words"),
])
def test_wrong_settings_are_said(settings: dict[str, object], words: str, tmp_path: Path,
                                 monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty.txt").write_text("\n 12 \n")
    Path("names.txt").write_text("Maria\n")
    Path("long.txt").write_text("one two three four five six\n")
    with pytest.raises(UserError) as error:
        anonymised("", **settings)
    assert words in str(error.value)
