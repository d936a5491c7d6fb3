"""Writes the wordings of the budget grid: eight requests × eight frames for each task, all by hand.

Usage: python recipes/budget-wordings/make.py
"""

from __future__ import annotations

from pathlib import Path

import yaml

FRAMES = {
    "request-first": "{request}\n\n{noun}: {{{{ input }}}}\n{cue}:",
    "input-first": "{noun}: {{{{ input }}}}\n\n{request}\n{cue}:",
    "quoted": '"{{{{ input }}}}"\n{request} {cue}:',
    "inline": "{request} {{{{ input }}}} ->",
    "listed": "{request}\nOptions: {{{{ options }}}}\n{noun}: {{{{ input }}}}\n{cue}:",
    "question-answer": "Q: {request} {noun}: {{{{ input }}}}\nA:",
    "bare": "{{{{ input }}}}\n{request}\n",
    "expert": "You are a careful annotator. {request}\n{{{{ input }}}}\nYour answer:",
}
"""Name -> where request, input and options stand."""

TASKS = {
    "budget-sports": {
        "tasks": ["bigbench/sports_understanding"],
        "noun": "Sentence",
        "cue": "Verdict",
        "requests": {
            "question": "Is this sentence about sports plausible or implausible?",
            "classify": "Classify the sentence as plausible or implausible.",
            "happen": "Could this happen in that sport? Answer plausible or implausible.",
            "reporter": "Would a sports reporter write this? Say plausible or implausible.",
            "label": "Give the label.",
            "chatty": "A friend told me this about a game. Does it sound plausible or implausible to you?",
            "formal": "Please determine whether the statement is plausible or implausible.",
            "terse": "Plausible or implausible?",
        },
    },
    "budget-hotels": {
        "tasks": ["bigbench/multiemo/hotels_sentence_en"],
        "noun": "Review",
        "cue": "Sentiment",
        "requests": {
            "question": "Is this sentence positive, negative, neutral or ambivalent?",
            "classify": "Classify the sentiment of the sentence as positive, negative, neutral or ambivalent.",
            "guest": "How did the guest feel about the hotel?",
            "tone": "Name the tone of what is written about the hotel.",
            "label": "Give the sentiment label.",
            "chatty": "I found this in a hotel review. Would you call it positive, negative, neutral or ambivalent?",
            "formal": "Please determine which sentiment towards the establishment is expressed.",
            "terse": "Sentiment?",
        },
    },
    "budget-implicatures": {
        "tasks": ["bigbench/implicatures"],
        "noun": "Dialogue",
        "cue": "Answer",
        "requests": {
            "question": "Does speaker 2 mean yes or no?",
            "classify": "Classify the reply of speaker 2 as yes or no.",
            "mean": "What does the second speaker's reply mean, yes or no?",
            "agree": "Does the second speaker agree?",
            "label": "Give the implied answer.",
            "chatty": "I overheard this. So was that a yes or a no?",
            "formal": "Please determine whether the response implies an affirmative (yes) or a negative answer (no).",
            "terse": "Yes or no?",
        },
    },
}

NOTE = "# Written by recipes/budget-wordings/make.py.\n"
ORIGIN = "Written by the Isophrase project (Apache-2.0): eight requests by eight frames."


def main() -> None:
    """Write one file for each task, beside this script."""
    for name, task in TASKS.items():
        instructions = [
            {
                "id": f"{request}-{frame}",
                "register": request,
                "template": template.format(request=text, noun=task["noun"], cue=task["cue"]),
            }
            for request, text in task["requests"].items()
            for frame, template in FRAMES.items()
        ]
        content = {
            "name": name,
            "version": "1",
            "tasks": task["tasks"],
            "origin": ORIGIN,
            "defaults": {
                "collection": "isophrase",
                "author": "isophrase",
                "output_form": "label",
                "option_layout": "inline",
            },
            "instructions": instructions,
        }
        text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=1000)
        Path(__file__).with_name(f"{name.removeprefix('budget-')}.yaml").write_text(NOTE + text)


if __name__ == "__main__":
    main()
