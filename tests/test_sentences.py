from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qa.ingest.sentences import MAX_CHARACTERS, MAX_WORDS, split_sentences

# "¦" stands where a sentence ends; it is not part of the text.
CASES = [
    "M. Altman a été renvoyé vendredi.¦ Le conseil n’a rien expliqué.",
    "Mme Murati assure l’intérim.¦ MM. Brockman et Altman partent.¦ Mlle. Durand reste.",
    "Le Dr. Martin et le Pr. Lefèvre ont signé.¦ Me. Dupond plaide.",
    "Il a cité l’intelligence artificielle, la robotique, etc. et d’autres domaines.",
    "On y trouve des puces, des serveurs, etc.¦ Les prix montent.",
    "Jules César est mort en 44 av. J.-C. à Rome.",
    "La ville est fondée au VIe siècle av. J.-C.¦ Elle devient romaine ensuite.",
    "Le décret n° 5 du 3 mars est abrogé.¦ Le n. 12 reste.",
    "Voir p. 12 et pp. 14-18, fig. 3, chap. 2, art. 50 du règlement.¦ Le reste suit.",
    "C’est une œuvre d’art.¦ Les critiques l’adorent.",
    "Il pèse 80 kg max.¦ Les autres pèsent moins.",
    "Prenons p. ex. Paris ou Lyon.¦ Les loyers y sont hauts.",
    "Altman & Co. sont de retour.¦ Apple Inc. et Google Ltd. se taisent.",
    "La société a été rachetée par Salesforce Inc.¦ Le prix est inconnu.",
    "Selon Vaswani et al. (2017), l’attention suffit.",
    "Il habite 12 bd. Voltaire, près de l’av. Foch.",
    "La commune compte 3 200 hab.¦ Son maire est élu depuis 2014.",
    "Réunion du 3 janv. 2024 au 5 févr. 2024.¦ Fin.",
    "Né vers 1820, cf. Hugo et vs. Balzac.",
    "Le saint patron est St. Martin.¦ Il est fêté en novembre.",
    "J. K. Rowling a écrit la saga.¦ J.R.R. Tolkien aussi.",
    "George W. Bush et J.-P. Raffarin se rencontrent.",
    "L’O.N.U. a voté.¦ Les U.S.A. se sont abstenus.",
    "Il faut de la vitamine C.¦ Elle se trouve dans les fruits.",
    "Le conseil avait un plan B.¦ Il ne l’a pas suivi.",
    "Le rapport vise la S.A.R.L.¦ La justice est saisie.",
    "Le roman de J.-M. Le Clézio est paru.",
    "« Je regrette profondément ma participation. »¦ Le public en doute.",
    "Il a dit : « Nous partons. » puis il est sorti.",
    "« Vraiment ? » demande-t-il.¦ « Oui ! », répond-elle.",
    "Sutskever écrit : « Je n’ai jamais voulu nuire.¦ J’aime ce que nous avons construit. »¦ Personne ne répond.",
    'Le message dit "tout va bien".¦ Le conseil se tait.',
    "“We are back.”¦ Le tweet a fait le tour du monde.",
    "(Le conseil l’a confirmé.)¦ Rien d’autre n’a filtré.",
    "Est-ce la fin ?!¦ Personne ne le sait…¦ L’avenir le dira !",
    "La valeur atteint 2,78 billions, soit 3.5 % de plus.¦ Le titre bondit.",
    "Il est 12 h 42.¦ Le journal publie l’article.",
    "Le bilan est de 1.234.567 euros en 2023.¦ En 2024, il double.",
    "Tout s’est joué le 17 novembre 2023.¦ 700 salariés ont signé.",
    "Le site https://www.openai.com/Blog.html?Q=1.Ab explique tout.¦ Lisez-le.",
    "Écrivez à presse@openai.com.¦ La réponse est rapide.",
    "Voir pic.twitter.com/ubHzy3NWjG et www.lemonde.fr pour en savoir plus.",
    "Booking.com et Node.js plaisent.¦ Le code est sur GitHub.com.",
    "Il hésite… puis il part.¦ Et puis… plus rien.",
    "Les négociations durent...¦ Le conseil cède.",
    "Les abus sont rares. [...]¦ Une vision globale est risquée.",
    "[…] Et j’ai été très clair.¦ Nous soutiendrons Sam.",
    "Il voulait… non, il exigeait son retour.",
    "La crise est finie.¦Le calme revient.¦ Pourtant rien n’est réglé.",
    "Il a démissionné en signe de protestation.¦Malgré tout, le conseil tient.",
    "Je ferai tout pour l’unité. »¦Cependant, le public doute.",
    "Le site vient d’OpenAI.¦Mais il ne s’agit pas que de l’entreprise.",
    "Que devient le partenariat ?¦Quelles garanties pour la suite ?¦Malgré tout, on avance !¦Vraiment.",
    "La continuité est assurée avec OpenAI.».¦Le contrat est secret.",
    "L’éviction d’Altman .¦ Dans un post, il s’explique.",
    "Sans but lucratif ?¦\n\nComme je l’ai souligné, la mission change",
    "Une tentative de récupération des talents¦\nL’équipe de direction a proposé autre chose.",
    "Trois raisons :¦\n- la sécurité ;¦\n- l’argent ;¦\n- la confiance.",
    "Le plan :¦\n1. Engager un enquêteur.¦\n2. Parler aux salariés.¦\n3) Réformer la direction",
    "1. Introduction¦\nLe texte commence ici.",
    "II. Les causes de la crise¦\nElles sont nombreuses.",
    "Le conseil d’administration de la société a décidé vendredi de se séparer de\nSam Altman, son directeur général, sans en informer à l’avance son allié\nMicrosoft ni ses autres actionnaires.¦ Le cours a baissé.",
    "Une équipe, un seul cap.¦ — Sam Altman (@sama) November 20, 2023",
    "Merci beaucoup pour votre patience !¦ @OpenAI vous répond.¦ #IA partout.",
    "Bravo à tous !¦ 🎉 Nous revenons.¦ Éric est ravi.¦ À demain.¦ Œuvrons ensemble.",
    "Une phrase sans aucun point final qui continue encore et encore",
    "Yahoo ! continue en citant Kara Swisher : elle parle.",
    "Tout ce qui\nétait prévu a changé.¦ Voilà.",
    "Satya Nadella¦\nPDG de Microsoft¦\nRedmond, le 22 novembre",
    "Le Pr. Raoult et Mgr. Aupetit ont été reçus par M. Macron.¦ L’entretien a duré une heure.",
    "Rendez-vous au 3, av. de l’Opéra, tél. 01 42 33 44 55.¦ Demandez Mme Leroy.",
    "L’alinéa 3 de l’art. L. 121-1 du Code s’applique.¦ Le juge tranchera.",
    "Il mesure 1,85 m.¦ Elle mesure 1,70 m.",
    "Le train part à 8 h.¦ Les voyageurs attendent.",
    "Platon naît vers 428 av. J.-C. et meurt en 348 av. J.-C.¦ Son école lui survit.",
    "Johnson & Johnson Corp. a perdu son procès.¦ L’action recule de 4,2 %.",
    "Le général C. de Gaulle parle à la B.B.C. le 18 juin.¦ La France écoute.",
    "Elle demande : « Où est M. Shear ? »¦ Personne ne sait.",
    "Le titre est « Qui a peur de l’I.A. ? » et il se vend bien.",
    "Il a crié « Au feu ! » avant de sauter.¦ Les pompiers arrivent.",
    "Les ventes (+ 12 % en oct.) progressent.¦ La marge aussi.",
    "La version 2.0.1 sort le 5.11.2024.¦ Elle corrige tout.",
    "Le dossier est sur http://example.fr/a.b/C.D?x=Y.¦ Il fait 3 Mo.",
    "Le prix passe de 1 000 à 1 500 €.¦ Un record.",
    "Quoi...?¦ Impossible !!!¦ Et pourtant.",
    "Hum…¦ Je ne sais pas.",
    "Le chef a parlé.¦L’assemblée a voté.¦Étonnant, non ?¦Oui.",
    "Il part en 2022.¦Les autres restent chez IBM.¦Ils ont tort.",
    "C’est « la fin ».¦Le groupe ferme.",
    "Ingrédients¦\n• 3 œufs¦\n• 200 g de farine¦\n• 1 pincée de sel",
    "I. Contexte¦\nA. Les faits¦\nLe 3 mai, tout change.",
    "RÉSUMÉ¦\nLe conseil a tranché.¦\nSource : AFP",
    "Le ministre, qui recevait hier la presse à Paris, a promis que la loi serait votée\navant l’été.¦ L’opposition n’y croit pas et annonce qu’elle saisira le Conseil\nconstitutionnel dès que possible.",
    "Lire aussi : Le retour de Sam Altman¦\n\nPublié le 21/11/2023 à 10h05",
    "@sama revient !¦ #OpenAI respire.",
    "Les États-Unis (cf. p. 3) ont refusé.¦ La Chine, idem.",
    "M. Le Drian a quitté le gouvernement.¦ Mme Le Pen le regrette.",
    "Le groupe Total S.A. publie ses comptes.¦ Les ventes montent.",
    "L’équipe A.¦ Cette équipe gagne.",
    "Il aime le jazz, le rock, etc.¦ Puis il s’endort.",
    "Le traité de Maastricht (1992).[1]¦ Les pays signent.",
    "Elle dit non.¦ « Jamais », répète-t-elle.",
    "Sur Twitter.¦ « Le conseil démissionne », écrit-il.",
]


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in split_sentences(text)]


@pytest.mark.parametrize("case", CASES)
def test_french_boundaries(case: str) -> None:
    assert sentences(case.replace("¦", "")) == [part.strip() for part in case.split("¦")]


def test_no_full_stop_at_all_is_cut_at_commas_and_stays_bounded() -> None:
    text = ", ".join(f"le mot {n} suit le mot {n + 1}" for n in range(500))
    found = sentences(text)
    assert len(found) > 20
    assert all(len(s.split()) <= MAX_WORDS for s in found)
    assert all(s.endswith(",") for s in found[:-1])
    assert " ".join(found) == text


def test_one_endless_word_stays_bounded() -> None:
    found = sentences("x" * 50_000)
    assert max(map(len, found)) <= MAX_CHARACTERS
    assert "".join(found) == "x" * 50_000


def test_nothing_gives_nothing() -> None:
    assert split_sentences("") == []
    assert split_sentences(" \n\t \n\n") == []


ALPHABET = "aéZÀ12.!?…,;:«»“\"'’()[]-–—@/ \u00a0\u202f\n\t•🎉"
PARTS = [
    "M. ",
    "J.-C. ",
    "etc. ",
    "n° 5 ",
    "\n- ",
    "1. ",
    "https://a.fr/B.C ",
    "[…]",
    "« Oui. »",
    "\n\n",
    "mot ",
]
MESSY = st.one_of(
    st.text(max_size=300),
    st.text(alphabet=ALPHABET, max_size=300),
    st.lists(st.one_of(st.sampled_from(PARTS), st.text(alphabet=ALPHABET, max_size=8)), max_size=60).map(
        "".join
    ),
)


@settings(max_examples=400, deadline=None)
@given(MESSY)
def test_any_text_keeps_every_letter_in_order_and_in_bounds(text: str) -> None:
    found = split_sentences(text)
    at = 0
    for start, end in found:
        assert at <= start < end
        assert not text[at:start].strip()
        assert text[start:end] == text[start:end].strip()
        assert end - start <= MAX_CHARACTERS
        assert len(text[start:end].split()) <= MAX_WORDS
        at = end
    assert not text[at:].strip()


@settings(max_examples=200, deadline=None)
@given(MESSY)
def test_no_sentence_crosses_a_blank_line(text: str) -> None:
    for sentence in sentences(text):
        assert all(line.strip() for line in sentence.split("\n"))


@pytest.mark.parametrize(
    "unit",
    [". ", "a. b. ", "1. a ", "A.", "A. ", "A.Le ", ".»", "mot\n", "\n \n", "@a.Bc", ".[1", ". «", "x"],
)
def test_hostile_repetition_neither_hangs_nor_escapes_the_bounds(unit: str) -> None:
    """A rule that looks back to the beginning at each mark would need hours here; it takes a blink."""
    text = unit * (200_000 // len(unit))
    found = split_sentences(text)
    assert all(end - start <= MAX_CHARACTERS for start, end in found)
