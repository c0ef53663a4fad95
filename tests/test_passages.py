from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_sentences import MESSY

from qa.ingest.articles import Article, read_text
from qa.ingest.passages import Span, split_passages
from qa.ingest.sentences import MAX_CHARACTERS, MAX_WORDS, split_sentences


def article(text: str) -> Article:
    return read_text(text, title="Essai", id="essai")


def story(sizes: list[int]) -> Article:
    """A text of one sentence a size, that size in words."""
    return article(" ".join("Le" + " mot" * (size - 1) + "." for size in sizes))


@settings(max_examples=300, deadline=None)
@given(MESSY, st.integers(1, 60), st.integers(0, 4))
def test_passages_are_exact_ordered_and_leave_out_no_sentence(text: str, target: int, overlap: int) -> None:
    source = article(text)
    passages = split_passages(source, target_words=target, overlap=overlap)
    for number, passage in enumerate(passages):
        assert passage.article_id == source.id
        assert passage.index == number
        assert passage.text
        assert source.text[passage.start : passage.end] == passage.text
        assert (passage.start, passage.end) == (passage.sentences[0].start, passage.sentences[-1].end)
        assert len(passage.sentences) == 1 or len(passage.text.split()) <= target
    assert {s for p in passages for s in p.sentences} == {Span(a, b) for a, b in split_sentences(source.text)}
    for before, after in itertools.pairwise(passages):
        assert before.start < after.start
        assert before.end < after.end


def test_each_passage_begins_with_the_last_sentence_of_the_one_before() -> None:
    passages = split_passages(story([20] * 40))
    assert all(len(p.sentences) == 6 for p in passages[:-1])
    for before, after in itertools.pairwise(passages):
        assert after.sentences[0] == before.sentences[-1]


@pytest.mark.parametrize("overlap", [0, 2, 3])
def test_the_overlap_can_be_chosen(overlap: int) -> None:
    passages = split_passages(story([20] * 30), overlap=overlap)
    for before, after in itertools.pairwise(passages):
        assert len(set(before.sentences) & set(after.sentences)) == overlap


def test_no_passage_only_repeats_the_end_of_another() -> None:
    passages = split_passages(story([10, 100, 100, 10, 100]))
    assert [len(p.sentences) for p in passages] == [2, 2, 2]
    assert len({p.end for p in passages}) == len(passages)


def test_a_sentence_above_the_target_stands_alone() -> None:
    passages = split_passages(story([30, 80, 5]), target_words=40, overlap=0)
    assert [len(p.sentences) for p in passages] == [1, 1, 1]


def test_text_without_a_full_stop_gives_bounded_passages() -> None:
    passages = split_passages(article("des mots sans fin " * 5_000))
    assert len(passages) > 100
    assert all(len(p.text.split()) <= MAX_WORDS for p in passages)


def test_text_without_a_space_gives_bounded_passages() -> None:
    passages = split_passages(article("x" * 100_000))
    assert max(len(p.text) for p in passages) <= MAX_CHARACTERS


def test_an_empty_article_has_no_passage() -> None:
    assert split_passages(article("")) == []
