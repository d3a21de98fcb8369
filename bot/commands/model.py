"""`/model`: the model that answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import strings as texts
from bot.commands.declaration import CommandDeclaration, CommandReply
from bot.domain.commands import CommandSpec, Effect, MenuItem

if TYPE_CHECKING:
    from bot.commands.declaration import CommandRequest, CommandServices


async def _model(request: CommandRequest, services: CommandServices) -> CommandReply:
    deployment, name = services.preferences.deployment, request.argument
    if not name:
        settings = await services.preferences.of(request.thread)
        text = texts.models_shown(settings.model, deployment)
        return CommandReply((request.spelled(text),))
    models = {model.casefold(): model for model in deployment.models}
    model = models.get(name.casefold())
    if model is None:
        return CommandReply((texts.model_unknown(name, deployment.models),))
    await services.history.change(request.where, model=model)
    return CommandReply((texts.model_set(model, request.scope),))


MODEL = CommandDeclaration(
    CommandSpec(
        name="model",
        argument="[NAME]",
        summary=texts.MODEL_SUMMARY,
        effect=Effect.SETS,
        rank=6,
        menu=(MenuItem(texts.MODEL_MENU),),
    ),
    _model,
)
