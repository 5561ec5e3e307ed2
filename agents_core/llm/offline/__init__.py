"""The offline model: rules, not a language model. It needs nothing and decides only from the request it is given.

turn.py       what the request says: the person's words, what was called for them so far, tools, memory blocks
rules.py      the table of rules, first match wins
storing.py    memory that changes: told, corrected, remembered, forgotten
kinds.py      the table of what people tell of themselves, and how each fact is written and asked for
facts.py      that table applied: to words, to the lines of blocks, to questions
sentences.py  texts into sentences and clauses
edits.py      how a line gets into or out of a block, with whichever memory tool there is
recall.py     questions: core memory, then archival memory, then the conversation
calls.py      "call roll_dice with sides=6": arguments by the tool's schema
talk.py       greetings, thanks, help, the time
shape.py      a decision as the agent's kind wants it: send_message, heartbeats, forced tools, JSON
schema.py     values that fit a JSON schema
summary.py    extractive summaries
dates.py      days in a sentence, and the newest clock in sight
words.py      the words that carry a sentence; errors in words
"""
