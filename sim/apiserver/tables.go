package apiserver

import (
	"fmt"
	"reflect"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// transform turns a reply into what the client asked for: itself, a table, or the metadata alone.
func (x *exchange) transform(rep reply, media mediaType) (runtime.Object, error) {
	if status, ok := rep.object.(*metav1.Status); ok {
		return status, nil
	}
	switch media.as.Kind {
	case "Table":
		return x.table(rep, false)
	case "PartialObjectMetadata":
		o, ok := rep.object.(Object)
		if !ok {
			return nil, conversionError(fmt.Sprintf("you requested PartialObjectMetadata, but the requested object is a list (*%sList)", x.resource.Kind))
		}
		return partial(o), nil
	case "PartialObjectMetadataList":
		if rep.list == nil {
			return nil, conversionError(fmt.Sprintf("you requested PartialObjectMetadataList, but the requested object is not a list (%T)", rep.object))
		}
		return partialList(rep.list), nil
	}
	if rep.list != nil {
		return x.resource.listOf(rep.list)
	}
	return rep.object, nil
}

func conversionError(text string) error {
	err := notAcceptable().(*apierrors.StatusError)
	err.ErrStatus.Message = text
	return err
}

// listOf is a list object of the kind. Its items do not say their kind, as the real server's do not.
func (r *Resource) listOf(l *listing) (runtime.Object, error) {
	list := r.NewList()
	value := reflect.ValueOf(list).Elem()
	items := value.FieldByName("Items")
	if !items.IsValid() {
		return nil, apierrors.NewInternalError(fmt.Errorf("%T is no list", list))
	}
	slice := reflect.MakeSlice(items.Type(), len(l.items), len(l.items))
	for i, o := range l.items {
		item := slice.Index(i)
		item.Set(reflect.ValueOf(o).Elem())
		item.FieldByName("TypeMeta").SetZero()
	}
	items.Set(slice)
	value.FieldByName("ListMeta").Set(reflect.ValueOf(l.ListMeta))
	list.GetObjectKind().SetGroupVersionKind(r.GroupVersion().WithKind(r.Kind + "List"))
	return list, nil
}

// partial is an object's metadata alone.
func partial(o Object) *metav1.PartialObjectMetadata {
	p := meta.AsPartialObjectMetadata(o)
	p.SetGroupVersionKind(metav1.SchemeGroupVersion.WithKind("PartialObjectMetadata"))
	return p
}

func partialList(l *listing) *metav1.PartialObjectMetadataList {
	list := &metav1.PartialObjectMetadataList{ListMeta: l.ListMeta, Items: make([]metav1.PartialObjectMetadata, len(l.items))}
	list.SetGroupVersionKind(metav1.SchemeGroupVersion.WithKind("PartialObjectMetadataList"))
	for i, o := range l.items {
		list.Items[i] = *partial(o)
	}
	return list
}

// table is what kubectl prints; headless leaves the columns out, as all tables of a watch but the first do.
func (x *exchange) table(rep reply, headless bool) (*metav1.Table, error) {
	include := metav1.IncludeObjectPolicy(x.query.Get("includeObject"))
	switch include {
	case "", metav1.IncludeMetadata, metav1.IncludeNone, metav1.IncludeObject:
	default:
		return nil, apierrors.NewBadRequest(fmt.Sprintf(
			"Unable to convert to Table as requested: includeObject: Invalid value: %q: must be 'Metadata', 'Object', 'None', or empty", include))
	}
	t := &metav1.Table{}
	t.SetGroupVersionKind(metav1.SchemeGroupVersion.WithKind("Table"))
	columns, cells := x.resource.Columns, x.resource.Cells
	items := []Object{}
	if rep.list != nil {
		t.ListMeta, items = rep.list.ListMeta, rep.list.items
	} else if o, ok := rep.object.(Object); ok {
		t.ResourceVersion, items = o.GetResourceVersion(), []Object{o}
		if reflect.TypeOf(o) != reflect.TypeOf(x.resource.New()) {
			cells = nil // a scale, which is no object of the resource
		}
	}
	if cells == nil {
		columns, cells = defaultColumns(), defaultCells
	}
	if !headless {
		t.ColumnDefinitions = columns
	}
	now := x.server.Now()
	t.Rows = make([]metav1.TableRow, len(items))
	for i, o := range items {
		t.Rows[i].Cells = cells(o, now)
		switch include {
		case metav1.IncludeNone:
		case metav1.IncludeObject:
			t.Rows[i].Object.Object = o
		default:
			t.Rows[i].Object.Object = partial(o)
		}
	}
	if rep.list != nil && x.resource.MarkRows != nil {
		x.resource.MarkRows(items, t.Rows)
	}
	return t, nil
}

// defaultColumns are those of a kind that has none of its own (registry/rest/table.go).
func defaultColumns() []metav1.TableColumnDefinition {
	docs := metav1.ObjectMeta{}.SwaggerDoc()
	return []metav1.TableColumnDefinition{
		{Name: "Name", Type: "string", Format: "name", Description: docs["name"]},
		{Name: "Created At", Type: "date", Description: docs["creationTimestamp"]},
	}
}

func defaultCells(o Object, _ time.Time) []any {
	return []any{o.GetName(), o.GetCreationTimestamp().Time.UTC().Format(time.RFC3339)}
}
