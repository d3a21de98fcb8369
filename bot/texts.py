"""Every sentence that a user reads, in one place."""

from __future__ import annotations

from bot.problems import ModelReason, Reason

DESCRIBE = "Describe this image"
DESCRIBE_SEVERAL = "Describe these images"

WHY_FILE: dict[Reason, str] = {
    Reason.TOO_LARGE: "it is larger than {limit}. Please send a smaller copy.",
    Reason.TOO_MANY_PIXELS: "it has more than {limit}. Please send a smaller copy.",
    Reason.EMPTY: "the file is empty. Please send it again.",
    Reason.DAMAGED: "the file is damaged and cannot be opened. Please send it again.",
    Reason.UNSUPPORTED: "this kind of file cannot be looked at ({detail}). "
    "Please send a JPEG, PNG, WebP, GIF, HEIC, BMP or TIFF picture.",
    Reason.VIDEO: "videos cannot be looked at yet. Please send photos or screenshots of it.",
    Reason.VIDEO_CLIP: "clips recorded in Teams cannot be read by apps. "
    "Please attach the photo or a screenshot instead.",
    Reason.TOO_SLOW: "opening it took too long. Please send a smaller copy.",
    Reason.CRASHED: "it could not be opened safely. Please save it anew as a JPEG and send that.",
    Reason.EXPIRED: "its download link has expired. Please send it again.",
    Reason.FORBIDDEN: "Loupe is not allowed to download it. "
    "Please paste the picture into the message instead.",
    Reason.NOT_FOUND: "it is no longer there. Please send it again.",
    Reason.UNREACHABLE: "it could not be downloaded just now. Please send it again.",
    Reason.REFUSED_ADDRESS: "its address is not one that Loupe downloads from. "
    "Please attach the picture itself.",
    Reason.NOT_A_FILE: "a web page came instead of the file. Please attach the picture itself.",
    Reason.HTML_ONLY: "this chat does not hand its files to apps. Please paste the picture into "
    "the message (copy it, then Ctrl+V), or send it to Loupe in a personal chat.",
    Reason.GONE: "it is no longer kept. Please send it again.",
    Reason.TOO_MANY: "there are more than {limit} files in this question. "
    "Please send the rest in another message.",
}

WHY_MODEL: dict[ModelReason, str] = {
    ModelReason.FILTERED: "The content filter of the model's service refused this question or "
    "picture. Please rephrase it or choose another picture.",
    ModelReason.FILTERED_ANSWER: "The content filter of the model's service ended this answer. "
    "Please ask in another way.",
    ModelReason.REFUSED: "The model declined to answer this. Please ask in another way.",
    ModelReason.UNAUTHORIZED: "The model's service did not accept Loupe's credentials. "
    "Please tell whoever runs Loupe to check the key or role.",
    ModelReason.NO_DEPLOYMENT: "The model's service does not know this model. "
    "Please choose another with /model, or tell whoever runs Loupe.",
    ModelReason.BUSY: "The model's service is busy. Please ask again in a minute.",
    ModelReason.FAILED: "The model's service failed. Please ask again in a minute.",
    ModelReason.TIMED_OUT: "The model's service did not answer in time. Please ask again.",
    ModelReason.CUT: "The connection to the model broke off here. Please ask again.",
    ModelReason.EMPTY: "The model gave no answer. Please ask again, perhaps in other words.",
    ModelReason.TOO_LONG: "This conversation is too long for the model. "
    "Please start anew with /reset or send fewer pictures.",
    ModelReason.BAD_REQUEST: "The model's service refused the request. "
    "Please try another picture, or tell whoever runs Loupe.",
    ModelReason.UNREACHABLE: "The model's service cannot be reached. Please ask again in a minute.",
}
