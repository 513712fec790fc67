package discord

// Discord's limits, in characters where they are of text. Sources: its documentation of
// components, files and application commands, and its OpenAPI description.
const (
	mostComponents  = 40   // of a message, nested ones included
	mostText        = 4000 // of all text displays together; labels of buttons are counted too, to be safe
	mostRows        = 5    // of buttons
	mostInRow       = 5
	mostLabel       = 80
	mostInMenu      = 25  // choices
	mostMenuText    = 100 // of a choice's label, its description, its value
	mostMenuPrompt  = 150 // what stands in a menu before anything is chosen
	mostAlt         = 1024
	mostInGallery   = 10
	mostAttachments = 10
	mostFile        = 10 << 20 // bytes of one file
	mostFiles       = 25 << 20 // bytes of a request's files
	mostFileName    = 100      // our own: Discord allows 1,024

	mostFormTitle = 45
	mostFormLabel = 45
	mostFormHelp  = 100
	mostFormText  = 4000

	mostName        = 32
	mostOptions     = 25
	mostChoices     = 25
	mostDescription = 100
	mostChoice      = 100
)
