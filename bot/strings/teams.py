"""The sentences that only Teams users read."""

from __future__ import annotations

BUTTON_PRESSED = "Got it."
CUT = "(The rest is too long to show here.)"
FILE_OFFER = "Here is the file you asked for. Accept to save it in your OneDrive."
FILE_DECLINED = "All right, I did not save the file."
FILE_EXPIRED = "This file is no longer kept. Please ask for it again."
FILE_SAVED_ALREADY = "This file has already been saved in your OneDrive."
FILE_NOT_SAVED = "The file could not be saved just now. Please ask for it again."
