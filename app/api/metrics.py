"""The metrics that answers can be scored by."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from app.api.caller import Reader
from app.core.metrics.registry import METRICS

router = APIRouter(prefix="/v1/metrics", tags=["experiments"])


class MetricShape(BaseModel):
    id: int = Field(description="What `eval_metric_ids` names.")
    name: str = Field(examples=["groundedness"])
    description: str
    unit: str = Field(examples=["share"])
    lowest: float
    highest: float | None = Field(description="null where there is no upper bound.")


class MetricList(BaseModel):
    metrics: list[MetricShape]


@router.get("", summary="List the metrics that answers can be scored by")
async def all_metrics(caller: Reader) -> MetricList:
    return MetricList(
        metrics=[
            MetricShape(
                id=metric.id,
                name=metric.name,
                description=metric.description,
                unit=metric.unit,
                lowest=0.0,
                highest=metric.highest,
            )
            for metric in METRICS.values()
        ]
    )
