"""Scientific questions: each study is one file and one command that answers one.

What several studies share: `command` (arguments, errors and tables), `train_once`,
`hits_forests` (forests on HiTS, fold by fold), `simulated_frames` (images of known
flux) and `realism` (comparison of simulated and real distributions).
"""
