"""What Teams users read beside answers."""

from __future__ import annotations

BUTTON_PRESSED = "Got it."
CUT = "(The rest is too long to be shown here.)"
FILE_OFFER = "The file you asked for. Accept to have it saved in your OneDrive."
FILE_DECLINED = "All right, the file is not saved."
FILE_EXPIRED = "This file is no longer kept. Please ask for it again."
FILE_SAVED_ALREADY = "This file was saved already; it is in your OneDrive."
FILE_NOT_SAVED = "The file could not be saved just now. Please ask for it again."
