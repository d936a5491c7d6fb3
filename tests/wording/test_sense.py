"""What is read from the words of a wording."""

import pytest

from isophrase.wording.language import behind, detect, samples
from isophrase.wording.lexicon import languages, lexicon
from isophrase.wording.sense import sense
from isophrase.wording.words import sentences, spoken, without, words


def test_every_language_has_a_lexicon_a_sample_and_the_same_lists():
    assert {"en", "de", "fr", "es", "it", "nl", "pt", "tr", "zh", "ja"} <= set(languages())
    assert set(samples()) == set(languages())
    concepts = {name: set(lexicon(name).concepts) for name in languages()}
    for name, mine in concepts.items():
        assert mine <= concepts["en"], name
        assert set(lexicon(name).forms) == set(lexicon("en").forms), name


def test_a_language_without_a_lexicon_says_nothing():
    assert lexicon("eo") is None
    assert not sense("Elektu la ĝustan respondon.", "eo").known


def test_text_is_read_without_slots():
    assert spoken("Don’t {{ input }} LOOK{% if x %}").split() == ["don't", "look"]
    assert [word.text for word in words("l'avis, 正しい")] == ["l'avis", "正", "し", "い"]
    assert list(sentences("One. Two!\n\nThree")) == ["One", " Two", "Three"]
    assert "yes" not in without("say yes or no", ("yes",))


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Which answer is not correct?"), ("en", "Choose an incorrect answer."),
        ("de", "Welche Antwort ist falsch?"),
        ("fr", "À quelle rubrique n'appartient-il pas ?"), ("es", "Elige una que no sea correcta."),
        ("it", "Scegli la risposta sbagliata."), ("nl", "Vat de tekst niet samen."),
        ("pt", "Qual não é a resposta certa?"),
        ("zh", "哪个答案是错误的？"), ("ja", "間違っている答えはどれですか。"), ("tr", "Hangi cevap yanlış?"),
    ],
)  # fmt: skip
def test_what_turns_a_task_round_is_seen(language, text):
    assert sense(text, language).turns


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Answer with one letter, no explanation."), ("en", "I don't know this one, can you help?"),
        ("en", "Write yes if it follows and no if it does not."), ("en", "Is it true or false?"),
        ("de", "Antworte ohne Begründung."), ("fr", "Ne donne aucune explication."),
        ("es", "Responde sin explicar nada."),
        ("zh", "不要解释。"),
    ],
)  # fmt: skip
def test_a_harmless_negation_turns_nothing_round(language, text):
    labels = ("yes", "no") if "yes" in text else ()
    assert sense(text, language, labels).turns == ()


@pytest.mark.parametrize(
    ("language", "text", "asked", "refused"),
    [
        ("en", "Give the letter.", {"letter"}, set()),
        ("en", "Write the answer without its letter.", set(), {"letter"}),
        ("en", "Rate it on a scale from 1 to 5.", {"number"}, set()),
        ("de", "Nenne den Buchstaben und begründe ihn.", {"letter", "explanation"}, set()),
        ("en", "You answer letters from readers; do so to the letter.", set(), set()),
        ("fr", "Résume en une phrase.", {"sentence"}, set()),
        ("es", "Responde en JSON.", {"structure"}, set()),
    ],
)
def test_forms_of_answer(language, text, asked, refused):
    found = sense(text, language)
    assert set(found.asked) == asked
    assert set(found.refused) == refused


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Read the question carefully and choose the best answer from the list."),
        ("de", "Lies die Frage genau und wähle die beste Antwort aus der Liste."),
        ("fr", "Lis bien la question et choisis la meilleure réponse dans la liste."),
        ("es", "Lee bien la pregunta y elige la mejor respuesta de la lista."),
        ("it", "Leggi bene la domanda e scegli la risposta migliore dall'elenco."),
        ("nl", "Lees de vraag goed en kies het beste antwoord uit de lijst."),
        ("pt", "Leia bem a pergunta e escolha a melhor resposta da lista."),
        ("tr", "Soruyu dikkatle oku ve listeden en iyi cevabı seç."),
        ("zh", "请仔细阅读问题，并从列表中选出最好的答案。"),
        ("ja", "質問をよく読んで、一番よい答えを選んでください。"),
    ],
)
def test_a_sentence_is_told_by_its_language(language, text):
    assert detect(text).language == language
    assert behind(text, language) == 0


def test_a_short_text_and_an_unknown_language_are_left_alone():
    assert detect("A, B?") is None
    assert behind("Choose the right answer from the list.", "eo") == 0
