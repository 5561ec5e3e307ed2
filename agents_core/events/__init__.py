"""Floor 3: the event stream. Only ``publish`` writes rows, only this package reads them raw."""
